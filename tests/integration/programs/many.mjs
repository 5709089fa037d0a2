// COUNT connections at once, each echoing SIZE octets that are its own: HOST PORT COUNT SIZE.
import { randomBytes } from 'node:crypto';
import net from 'node:net';

const [host, port, count, size] = process.argv.slice(2);
const everyone = [];
let ready;
const allOpen = new Promise((resolve) => { ready = resolve; });
let left = Number(count);

function echo() {
  return new Promise((resolve) => {
    const data = randomBytes(Number(size));
    const received = [];
    const socket = net.connect({ host, port: Number(port), allowHalfOpen: true });
    socket.on('error', (error) => resolve(String(error)));
    socket.on('connect', async () => {
      left -= 1;
      if (left === 0) ready();
      await allOpen;
      socket.end(data);
    });
    socket.on('data', (piece) => received.push(piece));
    socket.on('end', () => resolve(Buffer.concat(received).equals(data) ? true : 'not what was sent'));
  });
}

for (let n = 0; n < Number(count); n += 1) everyone.push(echo());
const results = await Promise.all(everyone);
console.log(JSON.stringify({
  good: results.filter((r) => r === true).length, failures: results.filter((r) => r !== true).slice(0, 5),
}));
