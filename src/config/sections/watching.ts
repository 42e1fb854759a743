/** Settings of how the appliance watches itself: `monitoring`. */
import { z } from "zod";
import { whole } from "../setting.ts";

export const monitoringSection = z.strictObject({
  prometheus_port: whole({
    default: 0,
    min: 0,
    max: 65_535,
    unit: "TCP port",
    about:
      "A second port, on server.host, that answers /metrics and Prometheus's query API and nothing else; 0 opens none. 9090 is where tools look for a Prometheus server",
    tooLow: "Below 1024 the appliance needs CAP_NET_BIND_SERVICE, which its unit does not grant",
    tooHigh: "From 32768 on a client connection of the machine may hold the port already",
    reader: "src/appliance/api-thread.ts",
  }),
});
