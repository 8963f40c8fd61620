// echo: Node.js. When all is sent and the client has ended its side, the connection is ended by a reset.
const net = require("net");

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.write("", () => socket.resetAndDestroy()));
  socket.on("data", (data) => {
    if (!socket.write(data)) socket.pause();
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
