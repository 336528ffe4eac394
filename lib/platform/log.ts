import { type Clock, systemClock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

/** One JSON object a line. `event` is a stable snake_case name to search by; everything variable goes into the fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log which adds these fields to every line. */
  with(fields: LogFields): Log;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const SECRET_NAME = /authorization|cookie|password|secret|token|(^|_)pak$|api_?key/i;
const SECRET_TEXT = /\b(brokkr_[^\s_"']{1,16}_)[A-Za-z0-9]{8,}|\b(bk_)[A-Za-z0-9]{8,}|(Bearer\s+)[^\s"']+/g;

/** Anything that looks like a credential, by its name or its form, is masked: a log line is read by more people than a key is for. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replace(SECRET_TEXT, (_all, pak, key, bearer) => `${pak ?? key ?? bearer}[redacted]`);
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? value.toString() : value;
  if (depth >= 6) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, SECRET_NAME.test(name) && item != null ? '[redacted]' : redact(item, depth + 1)]),
  );
}

function describeError(error: Error, depth: number): LogFields {
  return {
    name: error.name,
    message: redact(error.message),
    stack: redact(error.stack),
    ...(error.cause !== undefined && depth < 4 && { cause: redact(error.cause, depth + 1) }),
  };
}

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
  const at = (bound: LogFields): Log => {
    const line = (lineLevel: LogLevel) => (event: string, fields?: LogFields) => {
      if (ORDER[lineLevel] < ORDER[level]) return;
      const safe = redact({ ...bound, ...fields }) as LogFields;
      write(JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), level: lineLevel, event, ...safe }));
    };
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      with: (fields) => at({ ...bound, ...fields }),
    };
  };
  return at({});
}

export const silentLog: Log = createLog({ write: () => {} });
