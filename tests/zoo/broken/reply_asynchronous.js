// reply: Node.js. Every answer takes 10 ms, and allowHalfOpen is left as it is: Node.js ends the socket when the client
// has ended its side, and an answer that comes later is lost.
const net = require("net");

const LIMIT = 65536;
const OK = Buffer.from("OK...");

const server = net.createServer({ noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  let waiting = 0;

  function answer(line) {
    waiting += line.length;
    setTimeout(() => {
      waiting -= line.length;
      if (socket.writable) socket.write(Buffer.concat([OK, line]));
      if (waiting + socket.writableLength <= LIMIT) socket.resume();
    }, 10);
  }

  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    if (held.length > 0) answer(held);
  });
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    let at;
    while ((at = held.indexOf(10)) >= 0 && at < LIMIT) {
      answer(held.subarray(0, at + 1));
      held = held.subarray(at + 1);
    }
    if (held.length > LIMIT || at >= LIMIT) socket.destroy();
    else if (waiting + socket.writableLength > LIMIT) socket.pause();
  });
  socket.write("Welcome to the server. Type something and hit enter\n");
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
