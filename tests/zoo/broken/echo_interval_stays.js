// echo: Node.js. On SIGTERM it closes its listening socket and trusts that the process ends when nothing is left to do.
// An interval is left.
const net = require("net");

let served = 0;

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  served += 1;
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end());
  socket.on("data", (data) => {
    if (!socket.write(data)) socket.pause();
  });
});

setInterval(() => console.log(`${served} served`), 10000);
process.on("SIGTERM", () => server.close());
setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
