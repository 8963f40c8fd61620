// chat: Node.js. It looks for 'end' alone: a client that vanishes by a reset is never said to have left, and keeps its
// name.
const net = require("net");

const LIMIT = 65536;
const MOST_WAITING = 1 << 20;
const clients = new Map();

function tell(client, line) {
  if (client.socket.destroyed) return;
  client.socket.write(line);
  if (client.socket.writableLength > MOST_WAITING) client.socket.destroy();
}

function tellOthers(name, line) {
  for (const [other, client] of clients) if (other !== name) tell(client, line);
}

function leave(client) {
  if (client.name === undefined) return;
  clients.delete(client.name);
  tellOthers(client.name, Buffer.from(`* ${client.name} left\n`, "latin1"));
}

function take(client, line) {
  if (client.name !== undefined) {
    tellOthers(client.name, Buffer.concat([Buffer.from(`${client.name}: `, "latin1"), line]));
    return;
  }
  const name = line.subarray(0, -1).toString("latin1");
  if (name.length < 1 || name.length > 32 || name.includes(" ")) {
    client.socket.end();
  } else if (clients.has(name)) {
    client.socket.end("* name taken\n");
  } else {
    client.name = name;
    clients.set(name, client);
    tell(client, Buffer.from(`* welcome ${name}\n`, "latin1"));
  }
}

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const client = { socket, name: undefined };
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("end", () => {
    leave(client);
    socket.end();
  });
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    let at;
    while (!socket.writableEnded && (at = held.indexOf(10)) >= 0) {
      take(client, held.subarray(0, at + 1));
      held = held.subarray(at + 1);
    }
    if (held.length > LIMIT) socket.destroy();
  });
});

setTimeout(() => process.exit(), 600000).unref();
server.listen(Number(process.argv[3]), process.argv[2]);
