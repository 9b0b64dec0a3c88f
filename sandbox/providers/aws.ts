import { awsProvider } from "./aws/provider.ts";
import { serve } from "./protocol.ts";

serve(awsProvider);
