// For every read of n bytes, send n as four bytes, big-endian. (A read is of 64 KiB at most: Node's own limit.)
const net = require('net');

const [host, port] = process.argv.slice(2);

const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('data', (data) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(data.length);
    socket.write(count);
  });
  socket.on('error', () => socket.destroy());
});

server.listen(Number(port), host);
