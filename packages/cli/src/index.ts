export { startCluster, type Cluster, type UpOptions } from './up.ts';
