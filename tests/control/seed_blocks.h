// The configuration blocks of the document "Incremental Sync Engine", as they are written there,
// and its Sync Status Report. Tests load them: they are what users paste.
#ifndef TIDEMARK_TESTS_CONTROL_SEED_BLOCKS_H_
#define TIDEMARK_TESTS_CONTROL_SEED_BLOCKS_H_

namespace tidemark {

inline constexpr char kSyncBlock[] = R"(sync:
  source:
    type: "database" | "api" | "file"
    connection: "${SOURCE_CONNECTION}"
    tables: ["customers", "orders", "products"]
  
  destination:
    type: "database" | "api" | "data_warehouse"
    connection: "${DEST_CONNECTION}"
  
  cdc_method: "timestamp" | "version" | "changelog" | "trigger" | "polling"
  
  frequency: "realtime" | "hourly" | "daily"
  batch_size: 1000
  max_parallel_tables: 5
)";

inline constexpr char kCdcBlock[] = R"(cdc:
  timestamp:
    updated_at_field: "updated_at"
    created_at_field: "created_at"
    timezone: "UTC"
    tolerance_window: "5 minutes"  # Handle late-arriving data
  
  version:
    version_field: "version"
    sequence_field: "sequence_id"
  
  changelog:
    type: "mysql_binlog" | "postgres_wal" | "mongo_oplog"
    position: "last_processed_position"
  
  polling:
    interval: "1 minute"
    query: "SELECT * FROM table WHERE updated_at > :last_sync"
)";

inline constexpr char kConflictBlock[] = R"(conflict_resolution:
  default_strategy: "last_write_wins" | "source_wins" | "manual_review"
  
  strategies:
    - field: "email"
      strategy: "source_wins"
      source_priority: ["system_a", "system_b"]
    
    - field: "status"
      strategy: "manual_review"
  
  tolerance:
    time_window: "1 hour"  # Conflicts within this window use default strategy
    manual_review_threshold: 0.8  # Confidence below this requires review
)";

inline constexpr char kStateBlock[] = R"(state:
  storage:
    type: "database" | "file" | "redis"
    connection: "${STATE_STORAGE_CONNECTION}"
  
  checkpointing:
    frequency: "every_batch" | "every_n_records" | "time_based"
    interval: 1000  # records or seconds
  
  recovery:
    validate_on_start: true
    auto_repair: true
    reset_on_corruption: false
)";

inline constexpr char kReport[] = R"({
  "metadata": {
    "sync_id": "sync_123456",
    "source": "customers_db",
    "destination": "data_warehouse",
    "started_at": "2024-01-15T10:00:00Z",
    "completed_at": "2024-01-15T10:30:00Z",
    "duration_seconds": 1800,
    "status": "completed"
  },
  "statistics": {
    "records_processed": 15234,
    "records_inserted": 1234,
    "records_updated": 14000,
    "records_deleted": 0,
    "conflicts_detected": 5,
    "conflicts_resolved": 5,
    "errors": 0
  },
  "tables": [
    {
      "table": "customers",
      "records_processed": 5000,
      "records_inserted": 500,
      "records_updated": 4500,
      "last_sync_timestamp": "2024-01-15T10:25:00Z",
      "status": "completed"
    }
  ],
  "conflicts": [],
  "late_arriving_data": [],
  "checkpoint": {
    "last_sync_timestamp": "2024-01-15T10:30:00Z",
    "processed_record_ids": ["CUST001", "CUST002"],
    "high_water_mark": "2024-01-15T10:30:00Z",
    "state_version": "1.0"
  },
  "errors": [],
  "warnings": [
    "5 records arrived out of order but were processed correctly",
    "Checkpoint saved successfully"
  ]
})";

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_CONTROL_SEED_BLOCKS_H_
