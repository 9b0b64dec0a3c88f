import type { Judgement } from "./evidence.ts";

/** The worst case by the model's arithmetic; null where no model gives one. Evidence from before null was kept has 0 there, which no model arrives at. */
export const worstCase = ({ boundSeconds }: Judgement): number | null => (boundSeconds === 0 ? null : boundSeconds);
