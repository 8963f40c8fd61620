// reply: Node.js. It waits for a whole line, answers it, and forgets what came behind it.
const net = require("net");

const LIMIT = 65536;
const OK = Buffer.from("OK...");

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    if (held.length > 0) socket.write(Buffer.concat([OK, held]));
    socket.end();
  });
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    const at = held.indexOf(10);
    if (at >= LIMIT || (at < 0 && held.length > LIMIT)) {
      socket.destroy();
    } else if (at >= 0) {
      if (!socket.write(Buffer.concat([OK, held.subarray(0, at + 1)]))) socket.pause();
      held = Buffer.alloc(0);
    }
  });
  socket.write("Welcome to the server. Type something and hit enter\n");
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
