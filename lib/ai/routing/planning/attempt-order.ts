import type { Candidate } from '../plan-types.ts';
import type { Priority } from '../project-settings.ts';

/** What the order is made of. */
export interface Rankable {
  candidate: { score: number };
  /** `provider/model`, to tell equals apart. */
  name: string;
  /** The owner's: the higher one is first. */
  priority: number;
}
/** A candidate of a plan with the weight of its place. */
export interface Ranked extends Rankable {
  candidate: Candidate;
  weight: number | undefined;
}

const byName = (a: Rankable, b: Rankable): number => (a.name < b.name ? -1 : 1);
const byPriority = (a: Rankable, b: Rankable): number => b.priority - a.priority;
const byScore = (a: Rankable, b: Rankable): number => b.candidate.score - a.candidate.score;

/**
 * The best first, without chance. A balanced call follows the owner's priorities and then the scores. Any other priority is a wish for
 * the best score; then the owner's priorities only decide between equal scores.
 */
export function rank<T extends Rankable>(all: readonly T[], priority: Priority): T[] {
  const [first, second] = priority === 'balanced' ? [byPriority, byScore] : [byScore, byPriority];
  return [...all].sort((a, b) => first(a, b) || second(a, b) || byName(a, b));
}

/**
 * Spreads calls over the ranked candidates that may take each other's place: those of the same priority, and with a wish for the best score
 * also of the same score. Where none of them has a weight, the rank stays. Otherwise each is first as often as its part of the weights,
 * reduced by its health; a candidate without a weight has the weight 1, and one with the weight 0 is last.
 */
export function spread(ranked: readonly Ranked[], priority: Priority, random: () => number): Ranked[] {
  const isPeer = (a: Ranked, b: Ranked) => byPriority(a, b) === 0 && (priority === 'balanced' || byScore(a, b) === 0);
  const ordered: Ranked[] = [];
  for (let start = 0; start < ranked.length; ) {
    const first = ranked[start];
    if (!first) break;
    let end = start + 1;
    for (let next = ranked[end]; next && isPeer(first, next); next = ranked[end]) end++;
    ordered.push(...shuffled(ranked.slice(start, end), random));
    start = end;
  }
  return ordered;
}

/** A weighted order without repetition: the least of -ln(u)/w is the first with the probability of its weight. */
function shuffled(peers: readonly Ranked[], random: () => number): readonly Ranked[] {
  if (peers.length < 2 || peers.every(({ weight }) => weight === undefined)) return peers;
  const drawn = [...peers].sort(byName).map((peer) => {
    const weight = (peer.weight ?? 1) * peer.candidate.features.health;
    return { peer, turn: weight > 0 ? -Math.log(1 - random()) / weight : Number.POSITIVE_INFINITY };
  });
  return drawn
    .sort((a, b) => (a.turn === b.turn ? peers.indexOf(a.peer) - peers.indexOf(b.peer) : a.turn - b.turn))
    .map(({ peer }) => peer);
}
