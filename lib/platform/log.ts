import { type Clock, systemClock } from './clock.ts';
import { redactedJson } from './redaction.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

/**
 * A log with one JSON text on each line. `event` is a stable snake_case name to search by; variable parts go into the fields. A warning
 * has no stack trace, since the program expects such errors and often tries again, unless the error points to a mistake in the code. At
 * level `debug` all errors have one.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Returns a log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  level?: LogLevel;
  clock?: Clock;
  /** Receives each line without its newline; standard error by default, so that a program's standard output stays its own. */
  write?: (line: string) => void;
}

export function createLog({
  level = 'info',
  clock = systemClock,
  write = (line) => process.stderr.write(`${line}\n`),
}: LogOptions = {}): Log {
  const withFields = (bound: LogFields): Log => {
    const line = (lineLevel: LogLevel) => (event: string, fields?: LogFields) => {
      if (ORDER[lineLevel] < ORDER[level]) return;
      const line = { time: new Date(clock.nowMs()).toISOString(), level: lineLevel, event, ...bound, ...fields };
      write(redactedJson(line, lineLevel === 'error' || level === 'debug'));
    };
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      with: (fields) => withFields({ ...bound, ...fields }),
    };
  };
  return withFields({});
}

export const silentLog: Log = createLog({ write: () => {} });
