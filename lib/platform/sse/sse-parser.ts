/** One server-sent event. `event` is `message` if the stream names none, as in the HTML standard. */
export interface SseEvent {
  event: string;
  data: string;
}

export interface SseParser {
  /** Returns the events that these bytes complete. Throws SseTooLarge if one event is larger than the limit. */
  push(bytes: Uint8Array): SseEvent[];
  /**
   * Returns the event that the stream's end left without its blank line. The HTML standard drops it; some servers don't write the last
   * blank line. Whoever reads the data sees by its syntax if it was cut.
   */
  end(): SseEvent[];
}

export class SseTooLarge extends Error {
  override name = 'SseTooLarge';
}

const DEFAULT_LIMIT_BYTES = 8 * 1024 * 1024;
const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Reads a stream of server-sent events as the HTML standard says: a line ends with CR, LF or CRLF, and with nothing else. Bytes are
 * decoded in whole lines, so that a character that is cut between two reads is never decoded in halves.
 */
export function createSseParser({ limitBytes = DEFAULT_LIMIT_BYTES }: { limitBytes?: number } = {}): SseParser {
  /** The line that is not complete yet is the first `restBytes` of this buffer, which grows as needed. */
  let rest = Buffer.alloc(0);
  let restBytes = 0;
  let started = false;
  /** The last read ended with CR: an LF at the beginning of the next one belongs to it. */
  let afterCr = false;
  const event = createEventBuffer(limitBytes);

  function decode(bytes: Uint8Array): string {
    let whole = bytes;
    if (restBytes > 0) {
      keep(bytes);
      whole = rest.subarray(0, restBytes);
      restBytes = 0;
    }
    const text = (Buffer.isBuffer(whole) ? whole : Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength)).toString('utf8');
    if (started) return text;
    started = true;
    return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  }

  function keep(bytes: Uint8Array): void {
    const needed = restBytes + bytes.length;
    if (needed > limitBytes) throw tooLarge(limitBytes);
    if (needed > rest.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, rest.length * 2, 1_024));
      rest.copy(larger, 0, 0, restBytes);
      rest = larger;
    }
    // A copy, because the sender may use its buffer again.
    rest.set(bytes, restBytes);
    restBytes = needed;
  }

  return {
    push(read) {
      let bytes = read;
      if (afterCr && bytes.length > 0) {
        afterCr = false;
        if (bytes[0] === LF) bytes = bytes.subarray(1);
      }
      const lineEnd = endOfLines(bytes);
      if (lineEnd === 0) {
        keep(bytes);
        return [];
      }
      const whole = lineEnd === bytes.length;
      const text = decode(whole ? bytes : bytes.subarray(0, lineEnd));
      if (!whole) keep(bytes.subarray(lineEnd));
      afterCr = whole && bytes[lineEnd - 1] === CR;
      return event.lines(text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text);
    },
    end() {
      const events = restBytes > 0 ? event.lines(`${decode(new Uint8Array())}\n`) : [];
      return [...events, ...event.lines('\n')];
    },
  };
}

/** The place behind the last line end, or 0. Most reads end with one. */
function endOfLines(bytes: Uint8Array): number {
  const last = bytes[bytes.length - 1];
  return last === LF || last === CR ? bytes.length : Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
}

const tooLarge = (limitBytes: number) => new SseTooLarge(`one server-sent event has more than ${limitBytes} bytes`);

/** Collects the fields of one event over several lines. */
function createEventBuffer(limitBytes: number) {
  let name = '';
  let data: string | undefined;

  function field(line: string): void {
    const colon = line.indexOf(':');
    // A line that begins with a colon is a comment.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'event') name = value;
    if (field !== 'data') return;
    data = data === undefined ? value : `${data}\n${value}`;
    // A character has at least one byte, so this is an upper limit of what is kept, if not of the bytes.
    if (data.length > limitBytes) throw tooLarge(limitBytes);
  }

  return {
    /** Takes whole lines, each ended by LF. */
    lines(text: string): SseEvent[] {
      const events: SseEvent[] = [];
      let start = 0;
      while (start < text.length) {
        const end = text.indexOf('\n', start);
        if (end > start) {
          if (data === undefined && name === '' && text.charCodeAt(end + 1) === LF && text.startsWith('data: ', start)) {
            // The common case: an event of one line.
            events.push({ event: 'message', data: text.slice(start + 6, end) });
            start = end + 2;
            continue;
          }
          field(text.slice(start, end));
        } else {
          if (data !== undefined) events.push({ event: name || 'message', data });
          data = undefined;
          name = '';
        }
        start = end + 1;
      }
      return events;
    },
  };
}
