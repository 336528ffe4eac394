/** Room for one body. */
export interface BodyRoom {
  /** Gives back what the body turned out not to need. */
  shrinkTo(bytes: number): void;
  /** To be called once, when the body is not needed any more. */
  release(): void;
}

/** Limits the bytes of all request bodies that are being read or handled, so that many of them cannot fill the memory. */
export interface BodyBudget {
  /** Reserves room for a body; returns undefined if there is none. */
  reserve(caller: string, bytes: number): BodyRoom | undefined;
}

/**
 * A caller gets at most `callerBytes`, and at most half of the room that others leave, so that a few callers that fill their shares and
 * then send slowly don't lock others out.
 */
export function createBodyBudget({ totalBytes, callerBytes }: { totalBytes: number; callerBytes: number }): BodyBudget {
  const byCaller = new Map<string, number>();
  let reserved = 0;

  function giveBack(caller: string, bytes: number): void {
    reserved -= bytes;
    const left = (byCaller.get(caller) ?? 0) - bytes;
    if (left > 0) byCaller.set(caller, left);
    else byCaller.delete(caller);
  }

  return {
    reserve(caller, bytes) {
      const own = byCaller.get(caller) ?? 0;
      const leftByOthers = totalBytes - (reserved - own);
      if (own + bytes > Math.min(callerBytes, leftByOthers / 2)) return undefined;
      reserved += bytes;
      byCaller.set(caller, own + bytes);
      let held = bytes;
      return {
        shrinkTo(needed) {
          if (needed >= held) return;
          giveBack(caller, held - needed);
          held = needed;
        },
        release: () => giveBack(caller, held),
      };
    },
  };
}
