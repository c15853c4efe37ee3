export * from './fake-media/index.ts';
export * from './faulty-coordination.ts';
export * from './process-clock.ts';
export * from './seeded-random.ts';
export * from './simulated-cluster.ts';
export * from './tcp-proxy.ts';
export * from './udp-link.ts';
export * from './virtual-clock.ts';
