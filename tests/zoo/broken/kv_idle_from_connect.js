// kv: Node.js. The idle time is counted from the beginning of the connection, whatever is asked for meanwhile.
const net = require("net");

const LIMIT = 65536;
const values = new Map();
const idle = milliseconds(process.argv[5] ?? "30s");

function milliseconds(text) {
  return text.endsWith("ms") ? parseFloat(text) : parseFloat(text) * 1000;
}

function answer(request) {
  let words;
  if ((words = /^SET ([^ ]+) (.*)$/s.exec(request))) {
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
  const timer = setTimeout(() => socket.end(), idle);
  socket.on("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end());
  socket.on("data", (data) => {
    if (socket.writableEnded) return;
    const requests = (held + data.toString("latin1")).split("\n");
    held = requests.pop();
    for (const request of requests) {
      if (!socket.write(answer(request), "latin1")) socket.pause();
      if (request === "QUIT") {
        socket.end();
        socket.resume();
        return;
      }
    }
    if (held.length > LIMIT) socket.destroy();
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
