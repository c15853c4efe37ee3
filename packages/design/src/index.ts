export * from './Act.tsx';
export * from './Choices.tsx';
export * from './copy.ts';
export * from './cx.ts';
export * from './IconAct.tsx';
export * from './Mark.tsx';
export * from './theme.ts';
