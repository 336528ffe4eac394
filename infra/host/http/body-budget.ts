/** Limits the bytes of all request bodies that are being read or handled, so that many of them cannot fill the memory. */
export interface BodyBudget {
  /** Reserves room for a body; returns undefined if there is none. The caller releases the room by calling the result once. */
  reserve(caller: string, bytes: number): (() => void) | undefined;
}

/**
 * A caller gets at most `callerBytes`, and at most half of the room that others leave, so that a few callers that fill their shares and
 * then send slowly don't lock others out.
 */
export function createBodyBudget({ totalBytes, callerBytes }: { totalBytes: number; callerBytes: number }): BodyBudget {
  const byCaller = new Map<string, number>();
  let reserved = 0;
  return {
    reserve(caller, bytes) {
      const own = byCaller.get(caller) ?? 0;
      const leftByOthers = totalBytes - (reserved - own);
      if (own + bytes > Math.min(callerBytes, leftByOthers / 2)) return undefined;
      reserved += bytes;
      byCaller.set(caller, own + bytes);
      return () => {
        reserved -= bytes;
        const left = (byCaller.get(caller) ?? 0) - bytes;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      };
    },
  };
}
