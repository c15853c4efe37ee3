/**
 * A UDP socket on the command line: `send ADDRESS PORT TEXT` on stdin sends, and each datagram is printed as
 * `got ADDRESS PORT TEXT MS`. The first line is `port PORT`. `echo` tells the sender what it looks like from here.
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const [family = 'udp4'] = process.argv.slice(2);
const socket = createSocket(family as 'udp4' | 'udp6');
const send = (address: string, port: number, text: string): void => socket.send(text, port, address, () => undefined);

socket.on('message', (message, { address, port }) => {
  const text = message.toString();
  if (text === 'echo') send(address, port, `${address}|${port}`);
  else if (text.startsWith('back ')) send(address, port, text.slice('back '.length));
  else process.stdout.write(`got ${address} ${port} ${text.slice(0, 40)} ${performance.now()}\n`);
});
socket.bind(0, () => process.stdout.write(`port ${socket.address().port}\n`));
createInterface(process.stdin).on('line', (line) => {
  const [, address = '', port = '', text = ''] = line.split(' ');
  send(address, Number(port), text.replaceAll('+', ' '));
});
