/** When leaves get new keys by themselves: the first ones of every group on the quarters of an hour, the next ones some seconds later. */
const ROTATE_MS = 900_000;
/** Longest thing that is looked at in one piece. */
const TAKES_MS = 30_000;
/** The leaves of a small group have had their turns. */
const TURNS_MS = 10_000;

/** Waits where a rotation would fall into what follows, so that who counts Epochs counts only what they caused. */
export async function clearOfRotations(): Promise<void> {
  const since = Date.now() % ROTATE_MS;
  if (since >= TURNS_MS && since < ROTATE_MS - TAKES_MS) return;
  const waitMs = (since < TURNS_MS ? 0 : ROTATE_MS) + TURNS_MS - since;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
}
