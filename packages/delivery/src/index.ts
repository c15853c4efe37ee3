export { openDelivery, reduce } from './delivery.ts';
export { ADMISSION_PATIENCE_MS, ADMISSIONS_FAILED_MAX, CROWD_MIN } from './door.ts';
export { COMMITTER_ROUNDS_MAX, LEAVE_WINDOW_MS, REMOVAL_PATIENCE_MS } from './removal.ts';
export type * from './state.ts';
export { TICKET_LIFETIME_MS, TICKET_TRIES_MAX } from './turns.ts';
