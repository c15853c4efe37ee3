export { consumable } from './consumers.ts';
export { demandOf, type RoomDemand } from './demand.ts';
export { wantedOf, type Wanted } from './layers.ts';
export { REMOVED_MAX } from './lobby.ts';
export { whyNotProduce } from './producers.ts';
export { can, type Act } from './roles.ts';
export { openRoom, reduce } from './room.ts';
export type * from './state.ts';
export { lobbyOf, peerViews } from './views.ts';
