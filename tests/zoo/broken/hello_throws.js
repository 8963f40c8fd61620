// hello: Node.js. Nobody catches what the decoder throws at bytes that are no UTF-8, and that ends the process.
const net = require("net");

const LIMIT = 65536;

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let held = "";
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end());
  socket.on("data", (data) => {
    if (socket.writableEnded) return;
    held += decoder.decode(data, { stream: true });
    const lines = held.split("\n");
    held = lines.pop();
    for (const line of lines) {
      if (!socket.write("Hello Node!\n")) socket.pause();
      if (line === "STOP" || line === "STOP\r") {
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
