// frames: Node.js, with an 'error' listener for each socket, and no more read while answers wait.
const net = require("net");

const LIMIT = 1 << 20;

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end());
  socket.on("data", (data) => {
    held = held.length === 0 ? data : Buffer.concat([held, data]);
    while (held.length >= 4) {
      const size = held.readUInt32BE(0);
      if (size > LIMIT) {
        socket.destroy();
        return;
      }
      if (held.length < 4 + size) break;
      const answer = Buffer.from(held.subarray(0, 4 + size));
      answer.subarray(4).reverse();
      held = held.subarray(4 + size);
      if (!socket.write(answer)) socket.pause();
    }
  });
});

process.on("SIGTERM", () => process.exit(0));
server.listen(Number(process.argv[3]), process.argv[2]);
