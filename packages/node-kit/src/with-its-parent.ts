/**
 * A script of `sh -c`: becomes the command that is given to it, and ends it when standard input does. For programs that do not look
 * whether who started them is still there.
 */
export const WITH_ITS_PARENT = 'exec 3<&0; (cat <&3 >/dev/null; kill $$ 2>/dev/null) & exec "$0" "$@" 3<&- </dev/null';
