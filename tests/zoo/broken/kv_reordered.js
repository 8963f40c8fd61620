// kv: Node.js. What a SET does takes 10 ms, and nobody waits for it before the next request is answered.
const net = require("net");

const LIMIT = 65536;
const values = new Map();
const idle = milliseconds(process.argv[5] ?? "30s");

function milliseconds(text) {
  return text.endsWith("ms") ? parseFloat(text) : parseFloat(text) * 1000;
}

async function answer(request) {
  let words;
  if ((words = /^SET ([^ ]+) (.*)$/s.exec(request))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    values.set(words[1], words[2]);
    return "OK\n";
  }
  if ((words = /^GET ([^ ]+)$/s.exec(request))) {
    return values.has(words[1]) ? `VALUE ${values.get(words[1])}\n` : "NONE\n";
  }
  if ((words = /^DEL ([^ ]+)$/s.exec(request))) return values.delete(words[1]) ? "OK\n" : "NONE\n";
  return request === "QUIT" ? "BYE\n" : "ERR there are SET, GET, DEL and QUIT\n";
}

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let held = "";
  let unanswered = 0;
  let last = false;

  async function serve(request) {
    unanswered += 1;
    const reply = await answer(request);
    unanswered -= 1;
    if (!socket.writable) return;
    if (!socket.write(reply, "latin1")) socket.pause();
    if (last && unanswered === 0) socket.end();
  }

  function finish() {
    last = true;
    if (unanswered === 0) socket.end();
  }

  const timer = setTimeout(() => (socket.isPaused() ? timer.refresh() : finish()), idle);
  socket.on("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => {
    timer.refresh();
    socket.resume();
  });
  socket.on("end", finish);
  socket.on("data", (data) => {
    if (last) return;
    const requests = (held + data.toString("latin1")).split("\n");
    held = requests.pop();
    if (requests.length > 0) timer.refresh();
    for (const request of requests) {
      serve(request);
      if (request === "QUIT") {
        finish();
        socket.resume();
        return;
      }
    }
    if (held.length > LIMIT) socket.destroy();
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
