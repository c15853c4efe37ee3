/** The policy of one Room: the cluster's, in the regions that the Room may use. */
import type { RegionId } from '@veilcast/protocol';
import type { Demand, Policy } from '@veilcast/topology';

/** A demand, and where its Room may be; none: anywhere. */
export interface RoomDemand extends Demand {
  readonly regions: readonly RegionId[];
}

/** A Room whose regions are none of the cluster's may be nowhere: its list stands, and nothing fits it. */
export function policyFor(policy: Policy, regions: readonly RegionId[]): Policy {
  if (regions.length === 0) return policy;
  if (policy.regions.length === 0) return { ...policy, regions };
  const both = regions.filter((region) => policy.regions.includes(region));
  return { ...policy, regions: both.length > 0 ? both : NOWHERE };
}

/** No Node says that it is there: a region has letters. */
const NOWHERE: readonly RegionId[] = ['-' as RegionId];
