import { carrierContract, channelContract } from '@veilcast/control/contract';
import { carrierOf, FAR, freeAddress, NEAR } from './processes.ts';

const make = async () => {
  const [near, far] = await Promise.all([carrierOf(NEAR), carrierOf(FAR)]);
  const addresses = await Promise.all(Array.from({ length: 40 }, freeAddress));
  return {
    carrier: {
      listen: (...args: Parameters<typeof far.listen>) => far.listen(...args),
      dial: (address: string) => near.dial(address),
    },
    address: () => addresses.pop() ?? '',
    close: async () => {
      near.close();
      far.close();
    },
  };
};

carrierContract('http2', make);
channelContract('http2', make);
