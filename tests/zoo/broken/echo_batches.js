// echo: Node.js. What comes to less than 4 KiB waits for a timer, which is due every 300 ms.
const net = require("net");

const ENOUGH = 4096;

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let batch = [];
  let size = 0;

  function flush() {
    if (size > 0 && !socket.write(Buffer.concat(batch))) socket.pause();
    batch = [];
    size = 0;
  }

  const timer = setInterval(flush, 300);
  socket.on("close", () => clearInterval(timer));
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => socket.resume());
  socket.on("end", () => {
    flush();
    socket.end();
  });
  socket.on("data", (data) => {
    batch.push(data);
    size += data.length;
    if (size >= ENOUGH) flush();
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
