/**
 * How many Producers and Consumers mediasoup has open in this process, whoever knows of them. Nodes count those that they know; one that was
 * forgotten and not closed shows here alone.
 */
import { observer } from 'mediasoup';

const open = { producers: 0, consumers: 0 };

observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) =>
    router.observer.on('newtransport', (transport) => {
      transport.observer.on('newproducer', (producer) => {
        open.producers++;
        producer.observer.once('close', () => void open.producers--);
      });
      transport.observer.on('newconsumer', (consumer) => {
        open.consumers++;
        consumer.observer.once('close', () => void open.consumers--);
      });
    }),
  ),
);

/** Now, piped ones too. */
export function openMedia(): Readonly<typeof open> {
  return open;
}
