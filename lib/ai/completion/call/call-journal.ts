import type { Clock } from '../../../platform/clock.ts';
import type { Cost } from '../../pricing/prices.ts';
import type { ReportedUsage } from '../../pricing/usage.ts';
import type { HealthSample } from '../../routing/health/health-sample.ts';
import type { Candidate } from '../../routing/plan-types.ts';

/** One attempt at a provider, while it runs and afterwards. Durations are monotonic milliseconds. */
export interface AttemptNote {
  candidate: Candidate;
  startedAtMs: number;
  startMs: number;
  firstByteMs: number | null;
  endMs: number | null;
  status: number;
  error: string | undefined;
  health: HealthSample['result'];
  /** What the provider said about usage, merged: the last value of each field wins. */
  reported: ReportedUsage | undefined;
  /** An estimate of the tokens that the provider produced, if it doesn't say or can't be believed. */
  producedTokens: number;
  /** What the attempt has cost, as far as it is priced. */
  cost: Cost | undefined;
}

/** What is kept of a call for its project, if the project wants that. */
export interface KeptPayload {
  request: unknown;
  answer: unknown;
  /** A streamed answer, put together from its chunks. */
  streamed: { content: string[]; reasoning: string[]; tool_calls: unknown[] } | undefined;
  bytes: number;
}

/** What is known about a call so far. It becomes the call's record. */
export interface CallJournal {
  readonly startedAtMs: number;
  readonly startMs: number;
  readonly attempts: AttemptNote[];
  /** The attempt whose answer the caller gets. */
  answered: AttemptNote | undefined;
  firstSentMs: number | null;
  firstContentMs: number | null;
  /** The time that the gateway waited before it asked again. */
  waitedMs: number;
  readonly warnings: Set<string>;
  readonly finishReasons: string[];
  cache: 'HIT' | 'MISS' | 'DISABLED';
  streamed: boolean;
  /** What a hit of a cache would have cost. */
  savedPicoUsd: bigint;
  /** What is kept of request and answer; undefined if nothing is. */
  kept: KeptPayload | undefined;
  /** The record has left. */
  settled: boolean;
  begin(candidate: Candidate): AttemptNote;
  /** Takes the newest attempt at this candidate out: it is made again in another form. */
  forget(candidate: Candidate): void;
  end(note: AttemptNote, result: { status: number; error?: string | undefined; health: HealthSample['result'] }): void;
}

export function openJournal(clock: Clock, observe: (note: AttemptNote) => void): CallJournal {
  const journal: CallJournal = {
    startedAtMs: clock.nowMs(),
    startMs: clock.monotonicMs(),
    attempts: [],
    answered: undefined,
    firstSentMs: null,
    firstContentMs: null,
    waitedMs: 0,
    warnings: new Set(),
    finishReasons: [],
    cache: 'DISABLED',
    streamed: false,
    savedPicoUsd: 0n,
    kept: undefined,
    settled: false,
    begin(candidate) {
      const startMs = clock.monotonicMs();
      journal.firstSentMs ??= startMs;
      const note: AttemptNote = {
        candidate,
        startedAtMs: clock.nowMs(),
        startMs,
        firstByteMs: null,
        endMs: null,
        status: 0,
        error: undefined,
        health: 'ignored',
        reported: undefined,
        producedTokens: 0,
        cost: undefined,
      };
      journal.attempts.push(note);
      return note;
    },
    forget(candidate) {
      journal.attempts.splice(
        journal.attempts.findLastIndex((note) => note.candidate === candidate),
        1,
      );
    },
    end(note, { status, error, health }) {
      if (note.endMs !== null) return;
      note.endMs = clock.monotonicMs();
      note.status = status;
      note.error = error;
      note.health = health;
      observe(note);
    },
  };
  return journal;
}

/** Merges what a provider says about usage: the last value that is present wins, field by field. */
export function noteUsage(note: AttemptNote, reported: ReportedUsage): void {
  const known = note.reported;
  if (!known) {
    note.reported = reported;
    return;
  }
  const fields: Record<string, unknown> = { ...known.fields };
  for (const [name, value] of Object.entries(reported.fields)) if (value !== null && value !== undefined) fields[name] = value;
  const service_tier = reported.service_tier ?? known.service_tier;
  note.reported = { dialect: reported.dialect, fields, ...(service_tier !== undefined && { service_tier }) };
}
