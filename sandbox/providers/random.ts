import { serve } from "./protocol.ts";
import { randomProvider } from "./random/provider.ts";

serve(randomProvider);
