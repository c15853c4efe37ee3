import { z } from 'zod';

export type * from './call.ts';
export { connect } from './connect.ts';
export { prepare } from './prepare.ts';

// Schemas are interpreted, not compiled: pages whose content security policy forbids eval are the rule here.
z.config({ jitless: true });
