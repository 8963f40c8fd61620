// The shortest echo server there is. Nobody listens for 'error', so a client's reset ends the process.
// It keeps a half-close: allowHalfOpen is false, yet end() comes after what was written before it.
const net = require('net');

const [host, port] = process.argv.slice(2);

const server = net.createServer((socket) => {
  socket.on('data', (data) => socket.write(data));
});

server.listen(Number(port), host, () => console.log(`listening on ${host}:${port}`));
