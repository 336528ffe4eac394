/** Nobody watches a log more closely. */
const FLUSH_MS = 50;

/** A stream that takes text, such as `process.stderr`. */
interface TextSink {
  write(text: string): unknown;
}

/**
 * Writes the lines of a short time together: in a process that serves many requests, a write of its own for each line would
 * cost more than everything else about it. Call `flush` before the process ends.
 */
export function lineWriter(sink: TextSink): { write(line: string): void; flush(): void } {
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text !== '') sink.write(text);
  };
  return {
    write(line) {
      if (waiting === '') setTimeout(flush, FLUSH_MS).unref();
      waiting += `${line}\n`;
    },
    flush,
  };
}
