// frames: Node.js. Nobody listens for 'error', so a client's reset ends the process.
const net = require("net");

const LIMIT = 1 << 20;

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
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

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
