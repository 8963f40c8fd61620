// reply: Node.js. What waits for the rest of its line waits in one variable, whoever sent it.
const net = require("net");

const LIMIT = 65536;
const OK = Buffer.from("OK...");

let held = Buffer.alloc(0);

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    if (held.length > 0) socket.write(Buffer.concat([OK, held]));
    held = Buffer.alloc(0);
    socket.end();
  });
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    let at;
    while ((at = held.indexOf(10)) >= 0 && at < LIMIT) {
      if (!socket.write(Buffer.concat([OK, held.subarray(0, at + 1)]))) socket.pause();
      held = held.subarray(at + 1);
    }
    if (held.length > LIMIT || at >= LIMIT) {
      held = Buffer.alloc(0);
      socket.destroy();
    }
  });
  socket.write("Welcome to the server. Type something and hit enter\n");
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
