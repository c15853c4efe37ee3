export { Inventory } from './hosts/inventory.ts';
export { layOutHosts } from './hosts/lay-out.ts';
export { PORTS } from './hosts/ports.ts';
export { selfSigned } from './lan.ts';
export { startCluster, type Cluster, type UpOptions } from './up.ts';
