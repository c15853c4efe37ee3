export type * from './call.ts';
export { connect } from './connect.ts';
export { prepare } from './prepare.ts';
