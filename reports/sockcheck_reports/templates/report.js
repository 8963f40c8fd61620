"use strict";
// Whatever comes of a server or a scenario is put into the page as text: by createTextNode, or as the value of an
// attribute that holds a name. Nothing here makes elements, links or styles of it.
(() => {
  const PAGE = 100; // cases of a scenario that are shown at once
  const SCENARIOS = 300; // scenarios that are shown at once
  const FEW = 60; // so many may be unfolded without being asked for
  const FEW_OTHERS = 4; // so many that did not fail are shown beside those that did
  const SVG = "http://www.w3.org/2000/svg";

  const data = JSON.parse(document.getElementById("data").textContent);
  const packed = document.querySelectorAll("script.packed");
  const explorer = document.getElementById("explorer");

  function make(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
  }

  function draw(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
  }

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null) element.setAttribute(name, value);
    }
    for (const child of children.flat(Infinity)) {
      if (child === null || child === "") continue;
      element.append(child instanceof Node ? child : document.createTextNode(child));
    }
    return element;
  }

  function count(number, noun) {
    return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  }

  // ---- the cases ----

  const scenarios = data.scenarios.map(([contract, name, place], number) => (
    { number, contract, name, place, cases: [], rank: 1 }
  ));
  const cases = data.cases.map(([outcome, label, title, law, scenario, said, took, cause, details], number) => {
    const one = { number, outcome, label, title, law, scenario, said, took, cause, details, text: null };
    scenarios[scenario].cases.push(one);
    if (data.outcomes[outcome][2] === "fail" || data.outcomes[outcome][2] === "error") scenarios[scenario].rank = 0;
    return one;
  });
  // By contract. What went wrong comes first; else all stays in the order of the run.
  const ranks = data.contracts.map((_, contract) => (
    Math.min(...scenarios.filter((each) => each.contract === contract).map((each) => each.rank))));
  scenarios.sort((one, other) => ranks[one.contract] - ranks[other.contract] || one.contract - other.contract
    || one.rank - other.rank || one.number - other.number);
  for (const scenario of scenarios) {
    scenario.cases.sort((one, other) => (one.details < 0) - (other.details < 0) || one.number - other.number);
  }

  function anchor(one) {
    return `case-${encodeURIComponent(one.label).replaceAll("%2F", "/").replaceAll("%3A", ":")}`;
  }

  function searched(one) {
    if (one.text === null) {
      const place = data.scenarios[one.scenario];
      one.text = [one.label, data.titles[one.title], data.laws[one.law], one.said, place[2]].join(" ").toLowerCase();
    }
    return one.text;
  }

  const unpacked = new Map();

  function unpack(number) {
    if (!unpacked.has(number)) {
      const bytes = Uint8Array.from(atob(packed[number].textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      unpacked.set(number, new Response(stream).text().then(JSON.parse));
    }
    return unpacked.get(number);
  }

  // Puts the details of a case into a panel: at once where they are at hand.
  function show(one, panel) {
    if (one.details < data.told.length) {
      panel.replaceChildren(account(data.told[one.details], "h6"));
      return Promise.resolve();
    }
    const place = one.details - data.told.length;
    panel.replaceChildren(make("p", { class: "note" }, "Unpacking …"));
    return unpack(Math.floor(place / data.together)).then(
      (chunk) => panel.replaceChildren(account(chunk[place % data.together], "h6")),
      () => panel.replaceChildren(make("p", { class: "note" }, "This browser cannot unpack the details: it is too old.")),
    );
  }

  // ---- filter and search ----

  const wanted = { outcome: -1, contract: -1, law: -1, cause: -1, words: [] };
  const folded = new Map(); // what somebody has unfolded or folded, by scenario
  const pages = new Map(); // how many cases of a scenario are shown, by scenario
  const opened = new Set(); // the cases whose details are shown
  let scenariosShown = SCENARIOS;

  function matches(one) {
    return (wanted.outcome < 0 || one.outcome === wanted.outcome)
      && (wanted.contract < 0 || data.scenarios[one.scenario][0] === wanted.contract)
      && (wanted.law < 0 || one.law === wanted.law)
      && (wanted.cause < 0 || one.cause === wanted.cause)
      && wanted.words.every((word) => searched(one).includes(word));
  }

  const list = make("div", { class: "scenarios" });
  const said = make("output", { class: "said", "aria-live": "polite" });
  const search = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const outcomes = make("div", { class: "outcomes", role: "group", "aria-label": "Outcome" });
  const selects = {};
  const again = make("button", { type: "button", class: "clear" }, "Show all");

  function button(outcome, word, number) {
    const made = make("button", { type: "button", "aria-pressed": "false", "data-outcome": outcome },
      word, " ", make("b", {}, number.toLocaleString("en")));
    made.addEventListener("click", () => {
      wanted.outcome = outcome;
      update();
    });
    return made;
  }

  function select(name, title, values) {
    if (values.length < 2) return null;
    const made = make("select", { id: `select-${name}` }, make("option", { value: -1 }, "all"),
      values.map(([number, text]) => make("option", { value: number }, text)));
    made.addEventListener("change", () => {
      wanted[name] = Number(made.value);
      update();
    });
    selects[name] = made;
    return make("label", { for: made.id }, title, made);
  }

  function toolbar() {
    const numbers = data.outcomes.map(() => 0);
    for (const one of cases) numbers[one.outcome] += 1;
    outcomes.append(button(-1, "all", cases.length));
    data.outcomes.forEach(([, word], outcome) => {
      if (numbers[outcome]) outcomes.append(button(outcome, word, numbers[outcome]));
    });
    const sorted = (values) => values.map((text, number) => [number, text || "none"])
      .sort(([, one], [, other]) => one.localeCompare(other));
    search.addEventListener("input", () => {
      wanted.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      update();
    });
    again.addEventListener("click", () => {
      clear();
      update();
      search.focus();
    });
    const form = make("form", { role: "search", "aria-label": "Filter the cases" },
      outcomes,
      make("div", { class: "fields" },
        make("label", { for: "search", class: "text" }, "Search", search),
        select("law", "Law", sorted(data.laws.map(([law]) => law))),
        select("contract", "Contract", sorted(data.contracts)),
        select("cause", "Cause", data.causes.map((title, number) => [number, title]))),
      make("p", { class: "state" }, said, again));
    form.addEventListener("submit", (event) => event.preventDefault());
    return form;
  }

  function clear() {
    scenariosShown = SCENARIOS;
    Object.assign(wanted, { outcome: -1, contract: -1, law: -1, cause: -1, words: [] });
    search.value = "";
  }

  function update() {
    const found = scenarios.map((scenario) => [scenario, scenario.cases.filter(matches)])
      .filter(([, members]) => members.length);
    const number = found.reduce((sum, [, members]) => sum + members.length, 0);
    const all = number === cases.length;
    for (const each of outcomes.children) {
      each.setAttribute("aria-pressed", String(Number(each.dataset.outcome) === wanted.outcome));
    }
    for (const [name, each] of Object.entries(selects)) each.value = String(wanted[name]);
    said.replaceChildren(all ? `All ${count(number, "case")}` : `${number.toLocaleString("en")} of ${count(cases.length, "case")}`);
    again.hidden = all;
    const told = found.reduce((sum, [, members]) => sum + members.filter((one) => one.details >= 0).length, 0);
    const parts = [];
    let contract = null;
    for (const [scenario, members] of found.slice(0, scenariosShown)) {
      if (contract !== scenario.contract) {
        contract = scenario.contract;
        parts.push(make("h3", { class: "contract" }, data.contracts[contract] || "no contract"));
      }
      const open = (told <= FEW && members.some((one) => one.details >= 0)) || (!all && number <= FEW);
      parts.push(group(scenario, members, folded.get(scenario) ?? open));
    }
    const left = found.length - scenariosShown;
    if (left > 0) {
      const next = make("button", { type: "button" }, `Show ${Math.min(left, SCENARIOS)} more of ${count(left, "scenario")}`);
      next.addEventListener("click", () => {
        const first = scenariosShown;
        scenariosShown += SCENARIOS;
        update();
        list.querySelectorAll("h4 > button")[first].focus();
      });
      parts.push(next);
    }
    const none = cases.length ? "No case is like that." : "No case was run.";
    list.replaceChildren(...(parts.length ? parts : [make("p", { class: "note" }, none)]));
  }

  // A scenario: a button that unfolds its cases.
  function group(scenario, members, open) {
    const numbers = new Map();
    for (const one of members) numbers.set(one.outcome, (numbers.get(one.outcome) ?? 0) + 1);
    const body = make("div", { class: "members", id: `scenario-${scenario.number}` });
    const title = data.titles[members[0].title];
    const control = make("button", { type: "button", "aria-expanded": "false", "aria-controls": body.id },
      make("span", { class: "title" }, title),
      make("span", { class: "numbers" }, [...numbers].sort(([one], [other]) => one - other).map(([outcome, number]) => (
        make("span", { class: data.outcomes[outcome][2] }, `${number.toLocaleString("en")} ${data.outcomes[outcome][1]} `)))),
      make("span", { class: "where" }, scenario.place));
    function unfold(wide) {
      control.setAttribute("aria-expanded", String(wide));
      body.hidden = !wide;
      if (!wide || body.firstChild) return;
      const shown = make("ul", { class: "cases" });
      body.append(shown);
      // Those that there is something to tell of do not drown among the others.
      const telling = members.filter((one) => one.details >= 0).length;
      const first = telling && members.length - telling > FEW_OTHERS ? Math.min(telling, PAGE) : PAGE;
      more(scenario, members, shown, body, 0, pages.get(scenario) ?? first);
    }
    control.addEventListener("click", () => {
      folded.set(scenario, body.hidden);
      unfold(body.hidden);
    });
    unfold(open);
    return make("section", { class: "scenario" }, make("h4", {}, control), body);
  }

  function more(scenario, members, shown, body, from, to) {
    shown.append(...members.slice(from, to).map(row));
    if (members.length <= to) return;
    const left = members.slice(to);
    const words = [...new Set(left.map((one) => data.outcomes[one.outcome][1]))].join(", ");
    const next = make("button", { type: "button" },
      left.length > PAGE ? `Show ${PAGE} of ${left.length.toLocaleString("en")} more (${words})` : `Show ${left.length} more (${words})`);
    next.addEventListener("click", () => {
      pages.set(scenario, to + PAGE);
      next.remove();
      more(scenario, members, shown, body, to, to + PAGE);
      const target = shown.children[to];
      (target.querySelector("button") ?? target).focus();
    });
    body.append(next);
  }

  function row(one) {
    const [, word, colour] = data.outcomes[one.outcome];
    const scenario = data.scenarios[one.scenario];
    const stem = `${data.contracts[scenario[0]]}/${scenario[1]}`;
    const rest = one.label.startsWith(stem) ? one.label.slice(stem.length).replace(/^::/, "") : one.label;
    const text = [
      make("b", { class: "verdict" }, word, " "),
      make("span", { class: "variation" }, rest || one.label, " "),
      make("span", { class: "found" }, one.said, " "),
      make("span", { class: "took" }, one.took),
    ];
    if (one.details < 0) {
      return make("li", { id: anchor(one), class: `case ${colour}`, tabindex: "-1" }, make("p", { class: "row" }, text));
    }
    const panel = make("div", { class: "panel", id: `panel-${one.number}` });
    const control = make("button", { type: "button", class: "row", "aria-expanded": "false", "aria-controls": panel.id }, text);
    function unfold(open) {
      control.setAttribute("aria-expanded", String(open));
      panel.hidden = !open;
      if (open && !panel.firstChild) show(one, panel);
    }
    control.addEventListener("click", () => {
      if (panel.hidden) opened.add(one); else opened.delete(one);
      unfold(panel.hidden);
    });
    unfold(opened.has(one));
    return make("li", { id: anchor(one), class: `case ${colour}` }, make("h5", {}, control), panel);
  }

  // ---- the details of a case ----

  function account(told, heading) {
    const left = make("div", { class: "facts-of" },
      told.reason ? make("p", { class: "message" }, told.reason) : null,
      told.where ? make("p", { class: "where" }, told.where) : null,
      told.findings.map(finding),
      told.notes.map(([title, sentences]) => notes(title, sentences)),
      told.laws.map(([law, sentence]) => labelled("What a server owes", sentence, " ", make("code", {}, law))),
      told.cause.length ? labelled("Cause", make("a", { href: `#${told.cause[1]}` }, told.cause[0])) : null,
      told.hints.map((hint) => labelled("Hint", hint)),
      told.again.length ? command(told.again[0], told.again[1]) : null);
    const right = make("div", { class: "course" },
      make(heading, { class: "heading" }, "What happened ", make("span", { class: "note" }, "in ms since the case began")),
      ladder(told.ladder),
      told.plots.length ? plots(told.plots) : null,
      told.server.length ? labelled("Server", told.server[0] ? make("code", {}, told.server[0]) : null, " ",
        make("span", { class: "note" }, told.server[1])) : null,
      told.output.length ? output(told) : told.heard ? make("p", { class: "note" }, "The server wrote nothing.") : null,
      told.attempts.length ? attempts(told.attempts) : null);
    return make("div", { class: "account" }, left, right);
  }

  function labelled(label, ...children) {
    return make("p", { class: "law" }, make("b", {}, label), " ", children);
  }

  function notes(title, sentences) {
    return make("div", { class: "others" }, make("p", {}, title),
      make("ul", {}, sentences.map((sentence) => make("li", {}, sentence))));
  }

  function finding(found) {
    return make("div", { class: "finding" },
      make("p", { class: "message" }, found.message),
      found.texts.length ? make("dl", { class: "compare" }, found.texts.map(([label, text]) => (
        [make("dt", {}, label), make("dd", { class: label }, make("code", {}, text))]))) : null,
      found.what ? make("p", { class: "what" }, `First difference at ${found.what}.`) : null,
      found.sides.length ? make("dl", { class: "compare" }, found.sides.map((side) => (
        [make("dt", {}, side[0]), make("dd", { class: side[0] }, parted(side.slice(1, 4)), side[4])]))) : null,
      found.hex.length ? make("dl", { class: "compare" }, found.hex.map((side, number) => {
        const label = number ? "actual" : "expected";
        return [make("dt", {}, label, make("span", { class: "offset" }, found.offset)),
          make("dd", { class: `${label} hex` }, parted(side))];
      })) : null,
      found.note ? make("p", { class: "note" }, `(${found.note})`) : null,
      make("figure", { class: "source" }, make("figcaption", { class: "where" }, found.where),
        found.source.length ? make("pre", {}, found.source.map(line)) : null));
  }

  function parted([before, at, after]) {
    return make("code", {}, before, at ? make("mark", {}, at) : make("mark", { class: "end" }), after);
  }

  function line([number, ...parts]) {
    const failing = parts.length > 1;
    return make("span", { class: failing ? "line failing" : "line" },
      make("span", { class: "number" }, String(number)), " ",
      failing ? [parts[0], make("mark", {}, parts[1]), parts[2]] : parts[0], "\n");
  }

  function command(title, words) {
    const code = make("p", { class: "command" },
      words.map((word, number) => [number ? " " : null, make("code", {}, word)]));
    const copy = make("button", { type: "button", class: "copy" }, "Copy");
    copy.addEventListener("click", () => {
      getSelection().selectAllChildren(code);
      navigator.clipboard?.writeText(words.join(" ")).then(() => copy.replaceChildren("Copied"), () => {});
    });
    return make("div", { class: "again" }, make("p", { class: "label" }, title), code, copy);
  }

  function output(told) {
    return make("details", { open: "" },
      make("summary", {}, "What the server wrote last",
        told.left ? make("span", { class: "note" }, ` ${told.left} before it are not shown`) : null),
      make("pre", { class: "output", tabindex: "0" }, told.output.join("\n")));
  }

  function attempts(all) {
    return make("div", { class: "others" }, make("p", {}, "Attempts"), make("ol", {}, all.map((each) => {
      if (!each.ladder) return make("li", {}, each.said, each.shown ? make("span", { class: "note" }, " (shown here)") : null);
      return make("li", {}, make("details", {}, make("summary", {}, each.said), ladder(each.ladder)));
    })));
  }

  // ---- the diagram ----

  const SIGNS = { silence: "◷", read: "✓", pause: "❚❚", resume: "▶", down: "✕", up: "▲", refused: "✕", rst: "✕", many: "⋮" };
  const WAYS = { to: (lane) => `${lane} to server: `, from: (lane) => `server to ${lane}: `, at: (lane) => `${lane}: ` };

  function ladder({ lanes, steps }) {
    if (!steps.length) return make("p", { class: "note" }, "Nothing was recorded.");
    const at = (lane) => (100 * lane) / (lanes.length - 1);
    const tight = lanes.length > 3;
    const heads = make("div", { class: tight ? "lanes tight" : "lanes", "aria-hidden": "true" }, lanes.map((name, lane) => {
      const head = make("span", { class: lane === 0 ? "first" : lane === lanes.length - 1 ? "last" : "" }, name);
      head.style.left = `${at(lane)}%`;
      if (lane < lanes.length - 1) head.style.maxWidth = `${at(1) * (lane ? 0.84 : 0.56)}%`;
      return head;
    }));
    return make("div", { class: "ladder" }, heads, make("ol", {}, steps.map((one) => step(one, lanes, at))));
  }

  function step([time, lane, way, drawn, what, excerpt, lead, later, state, decisive], lanes, at) {
    const server = lanes.length - 1;
    const strings = lanes.map((_, number) => {
      const string = make("span", { class: number === server ? `string server ${state}` : "string" });
      string.style.left = `${at(number)}%`;
      return string;
    });
    const sign = SIGNS[drawn] ? make("span", { class: "sign", "aria-hidden": "true" }, `${SIGNS[drawn]} `) : null;
    const spoken = make("span", { class: "spoken" }, WAYS[way] ? WAYS[way](lanes[lane]) : "");
    const text = make("span", { class: "text" }, spoken, sign, what, excerpt ? [" ", make("code", {}, excerpt)] : null,
      decisive ? [" ", make("b", { class: "flag" }, "failed here")] : null);
    const words = make("p", { class: "what" }, text);
    const right = way === "from" || at(lane) > 50;
    if (right) words.classList.add("right");
    if (way !== "across" && at(lane) > 0 && at(lane) < 100) {
      if (right) words.style.paddingRight = way === "from" ? "" : `calc(${100 - at(lane)}% + 0.7rem)`;
      else words.style.paddingLeft = `calc(${at(lane)}% + 0.7rem)`;
    }
    const track = make("div", { class: "track" }, strings,
      later ? make("p", { class: "later" }, `${later} later`) : null, words);
    if (way === "to" || way === "from") {
      const arrow = make("div", { class: `arrow ${way} ${drawn}`, "aria-hidden": "true" });
      arrow.style.marginLeft = `${at(lane)}%`;
      track.append(arrow);
    } else if (way === "at" && drawn !== "many") {
      const dot = make("span", { class: "dot", "aria-hidden": "true" });
      dot.style.left = `${at(lane)}%`;
      track.append(dot);
    }
    return make("li", { class: `step way-${way} is-${drawn} lead-${lead}${decisive ? " decisive" : ""}` },
      make("span", { class: "at" }, time), track);
  }

  // ---- the server's figures ----

  function plots(all) {
    if (all.every(({ values }) => values.filter((value) => value !== null).length < 2)) {
      return labelled("The server after this case", all.map(({ title, high }) => `${title} ${high}`).join(", "));
    }
    return make("div", { class: "plots" }, all.map(({ title, values, last, low, high }) => {
      const range = low === high ? last || high : `${last || "?"}, from ${low} to ${high}`;
      const top = Math.max(...values.filter((value) => value !== null)) || 1;
      const known = values.map((value, number) => [number, value]).filter(([, value]) => value !== null);
      const spread = Math.max(1, values.length - 1);
      const points = known.map(([number, value]) => `${(2 + (96 * number) / spread).toFixed(1)},${(26 - (22 * value) / top).toFixed(1)}`);
      const [x, y] = points.at(-1).split(",");
      return make("figure", { class: "plot" }, make("figcaption", {}, title, " ", make("b", {}, range)),
        draw("svg", { viewBox: "0 0 100 28", role: "img", "aria-label": `${title}: ${range}` },
          draw("line", { x1: 2, x2: 98, y1: 26, y2: 26 }),
          draw("polyline", { points: points.join(" ") }),
          draw("circle", { cx: x, cy: y, r: 2 })),
        make("span", { class: "note" }, `of ${values.length} cases on this server, one after the other`));
    }));
  }

  // ---- links, buttons of the page, printing ----

  // Links may have been written by hand, so that less of them is encoded than in ours.
  function decoded(hash) {
    try {
      return decodeURIComponent(hash);
    } catch {
      return hash;
    }
  }

  function go(hash) {
    const one = cases.find((each) => `case-${each.label}` === decoded(hash));
    if (!one) return;
    if (!matches(one)) clear();
    const position = scenarios.findIndex((each) => each.cases.includes(one));
    const scenario = scenarios[position];
    scenariosShown = Math.max(scenariosShown, position + 1);
    const among = scenario.cases.filter(matches).indexOf(one);
    folded.set(scenario, true);
    pages.set(scenario, Math.max(pages.get(scenario) ?? PAGE, PAGE * Math.ceil((among + 1) / PAGE)));
    if (one.details >= 0) opened.add(one);
    update();
    const place = document.getElementById(anchor(one));
    (place.querySelector("button") ?? place).focus({ preventScroll: true });
    place.scrollIntoView();
  }

  function narrow(name, number) {
    clear();
    wanted[name] = number;
    update();
    document.getElementById("cases").focus({ preventScroll: true });
    document.getElementById("cases").scrollIntoView();
  }

  for (const each of document.querySelectorAll("button.scripted")) {
    each.hidden = false;
    if (each.nextElementSibling?.className === "plain") each.nextElementSibling.hidden = true;
    const { cause, contract, law } = each.dataset;
    each.addEventListener("click", () => {
      if (cause !== undefined) narrow("cause", Number(cause));
      else if (contract !== undefined) narrow("contract", data.contracts.indexOf(contract));
      else narrow("law", data.laws.findIndex(([name]) => name === law));
    });
  }

  for (const each of document.querySelectorAll("details.scripted")) {
    each.hidden = false;
    each.addEventListener("toggle", () => {
      if (each.open && each.children.length === 1) each.append(account(data.told[Number(each.dataset.details)], "h4"));
    });
  }

  let printed = null;
  addEventListener("beforeprint", () => {
    const told = cases.filter((one) => one.details >= 0 && one.details < data.told.length);
    printed = make("section", { class: "printed" }, told.sort((one, other) => one.details - other.details).map((one) => (
      make("article", {}, make("h3", {}, data.titles[one.title]), make("p", { class: "id" }, one.label),
        account(data.told[one.details], "h4")))));
    explorer.after(printed);
  });
  addEventListener("afterprint", () => printed?.remove());

  const first = cases.filter((one) => one.details >= 0);
  if (first.length === 1) opened.add(first[0]);
  if (cases.length) explorer.append(toolbar());
  explorer.append(list);
  update();
  explorer.hidden = false;
  document.getElementById("listed").remove();
  addEventListener("hashchange", () => go(location.hash.slice(1)));
  if (location.hash) go(location.hash.slice(1));
})();
