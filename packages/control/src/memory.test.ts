import { carrierContract, channelContract } from './contract/index.ts';
import { memoryCarrier } from './memory.ts';

const make = async () => {
  let addresses = 0;
  return { carrier: memoryCarrier(), address: () => `memory:${(addresses += 1)}`, close: async () => undefined };
};

carrierContract('memory', make);
channelContract('memory', make);
