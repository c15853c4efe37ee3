export * from './media.ts';
export { FakeRouter } from './router.ts';
export { FakeConsumer, FakeProducer } from './streams.ts';
export { FakePipeTransport, FakeTransport, FakeWebRtcTransport } from './transport.ts';
export { FakeWorker } from './worker.ts';
