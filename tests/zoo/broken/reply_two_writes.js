// reply: Node.js. Each answer is written in two pieces without TCP_NODELAY: Nagle's algorithm holds back the second
// until the client's delayed acknowledgement of the first.
const net = require("net");

const LIMIT = 65536;

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    if (held.length > 0) socket.write(Buffer.concat([Buffer.from("OK..."), held]));
    socket.end();
  });
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    let at;
    while ((at = held.indexOf(10)) >= 0 && at < LIMIT) {
      socket.write("OK...");
      if (!socket.write(held.subarray(0, at + 1))) socket.pause();
      held = held.subarray(at + 1);
    }
    if (held.length > LIMIT || at >= LIMIT) socket.destroy();
  });
  socket.write("Welcome to the server. Type something and hit enter\n");
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
