// reply: Node.js. A line may be as long as it likes.
const net = require("net");

const OK = Buffer.from("OK...");

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let pieces = [OK];
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    if (pieces.length > 1) socket.write(Buffer.concat(pieces));
    socket.end();
  });
  socket.on("data", (data) => {
    let at;
    while ((at = data.indexOf(10)) >= 0) {
      pieces.push(data.subarray(0, at + 1));
      if (!socket.write(Buffer.concat(pieces))) socket.pause();
      pieces = [OK];
      data = data.subarray(at + 1);
    }
    if (data.length > 0) pieces.push(data);
  });
  socket.write("Welcome to the server. Type something and hit enter\n");
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
