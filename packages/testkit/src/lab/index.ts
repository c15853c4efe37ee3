export { NETWORKS, type Network } from './networks.ts';
export type { Client } from './client.ts';
export { openLab, type End, type Lab, type Link, type Region } from './lab.ts';
export { missingForLab } from './requirements.ts';
export type { Host } from './host.ts';
export type { Counted, Impairment } from './impairer.ts';
