/** What the reports of load runs and of the simulator share: one page that needs nothing else, with plots and tables. */
export { plot, type Line } from './plot.ts';
export { styles } from './style.ts';
export { clock, escaped, short, table } from './text.ts';
