"""Where replies come from: endpoints, managed local servers, recorded replies; cache, usage, budget."""
