// GET of a URL and POST of the same body to another, by node's http or fetch: http|fetch URL URL2.
import { createHash } from 'node:crypto';
import http from 'node:http';

const [way, from, to] = process.argv.slice(2);

function request(url, method, body) {
  return new Promise((resolve, reject) => {
    const asked = http.request(url, { method }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => resolve(Buffer.concat(pieces)));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function fetched(url, method, body) {
  return Buffer.from(await (await fetch(url, { method, body })).arrayBuffer());
}

const transfer = way === 'http' ? request : fetched;
const body = await transfer(from, 'GET');
const uploaded = (await transfer(to, 'POST', body)).toString().trim();
console.log(JSON.stringify({ octets: body.length, sha256: createHash('sha256').update(body).digest('hex'), uploaded }));
