import { kubernetesProvider } from "./kubernetes/provider.ts";
import { serve } from "./protocol.ts";

serve(kubernetesProvider);
