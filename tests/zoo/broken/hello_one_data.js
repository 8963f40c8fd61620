// hello: Node.js. Whatever one 'data' event brings is taken for one line.
const net = require("net");

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end());
  socket.on("data", (data) => {
    if (socket.writableEnded) return;
    let line;
    try {
      line = decoder.decode(data, { stream: true });
    } catch {
      socket.destroy();
      return;
    }
    if (!socket.write("Hello Node!\n")) socket.pause();
    if (line.replace(/\r?\n$/, "") === "STOP") {
      socket.end();
      socket.resume();
    }
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
