/**
 * How many Consumers mediasoup has open in this process, whoever knows of them. Nodes count those that they know; one that was forgotten
 * and not closed shows here alone.
 */
import { observer } from 'mediasoup';

let open = 0;

observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) =>
    router.observer.on('newtransport', (transport) =>
      transport.observer.on('newconsumer', (consumer) => {
        open++;
        consumer.observer.once('close', () => void open--);
      }),
    ),
  ),
);

export function openConsumers(): number {
  return open;
}
