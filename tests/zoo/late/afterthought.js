// As afterthought.py: answers each line with `ok\n`, does some work, and then writes one byte more where it is told to.
//
//     node afterthought.js HOST PORT
//
// It knows other works, and two of the same names:
//
//     cpu N       N microseconds of computing
//     yield N     N turns of the event loop
//     thread N    a worker thread computes and says so, and then this one writes
//     pool N      a derivation of a key on libuv's threads, of N rounds
//     timer N     a timer of N microseconds, rounded up to milliseconds
//
// It ends by itself after 100 s.
"use strict";
const crypto = require("crypto");
const net = require("net");
const { Worker } = require("worker_threads");

setTimeout(() => process.exit(0), 100000).unref();

const COMPUTE = `
function compute(microseconds) {
  const limit = performance.now() + microseconds / 1000;
  while (performance.now() < limit);
}`;
const compute = new Function(`${COMPUTE}; return compute;`)();
const worker = new Worker(
  `${COMPUTE}
  const { parentPort } = require("worker_threads");
  const { performance } = require("perf_hooks");
  parentPort.on("message", (number) => { compute(number); parentPort.postMessage(0); });`,
  { eval: true },
);
const waiting = [];
worker.on("message", () => waiting.shift()());

const WORKS = {
  cpu(number, then) { compute(number); then(); },
  yield(number, then) { if (number) setImmediate(WORKS.yield, number - 1, then); else then(); },
  thread(number, then) { waiting.push(then); worker.postMessage(number); },
  pool(number, then) { crypto.pbkdf2("key", "salt", number, 32, "sha256", then); },
  timer(number, then) { setTimeout(then, Math.ceil(number / 1000)); },
};

net.createServer((connection) => {
  connection.setNoDelay(true);
  connection.on("error", () => {});
  let text = "";
  connection.on("data", (data) => {
    text += data;
    if (!text.includes("\n")) return;
    const [work, number, more] = text.trim().split(" ");
    text = "";
    connection.write("ok\n");
    WORKS[work](Number(number), () => { if (more === "yes") connection.write("!"); });
  });
}).listen(Number(process.argv[3]), process.argv[2]);
