// The plain Java peer: KafkaConsumer.poll, Avro GenericDatumReader, pgjdbc addBatch (ON CONFLICT DO NOTHING), commit,
// commitSync. No framework. Assigns its partitions by hand: worker WORKER of WORKERS.
import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class PlainConsumer {
    public static void main(String[] arguments) throws Exception {
        int worker = Integer.parseInt(env("WORKER")), workers = Integer.parseInt(env("WORKERS"));
        Connection db = DriverManager.getConnection(env("JDBC"), env("PG_USER"), env("PG_PASSWORD"));
        db.setAutoCommit(false);
        try (var consumer = new KafkaConsumer<>(settings(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
                PreparedStatement insert = db.prepareStatement(env("INSERT").replaceAll("\\$\\d+", "?"))) {
            var mine = new ArrayList<TopicPartition>();
            for (int p = worker; p < consumer.partitionsFor(env("TOPIC")).size(); p += workers) {
                mine.add(new TopicPartition(env("TOPIC"), p));
            }
            consumer.assign(mine);
            GenericDatumReader<GenericRecord> reader = null;
            BinaryDecoder decoder = null;
            boolean[] dates = null;
            while (true) {
                var batch = consumer.poll(Duration.ofMillis(500));
                if (batch.isEmpty()) continue;
                for (var message : batch) {
                    byte[] value = message.value();
                    if (reader == null) {
                        Schema schema = schema(ByteBuffer.wrap(value).getInt(1));
                        reader = new GenericDatumReader<>(schema);
                        dates = dates(schema);
                    }
                    decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
                    bind(insert, reader.read(null, decoder), dates);
                    insert.addBatch();
                }
                insert.executeBatch();
                db.commit();
                consumer.commitSync();
            }
        }
    }

    static void bind(PreparedStatement insert, GenericRecord row, boolean[] dates) throws Exception {
        for (int i = 0; i < dates.length; i++) {
            Object value = row.get(i);
            if (dates[i]) insert.setObject(i + 1, LocalDate.ofEpochDay((Integer) value));
            else if (value instanceof Long number) insert.setLong(i + 1, number);
            else insert.setString(i + 1, value == null ? null : value.toString());
        }
    }

    static boolean[] dates(Schema schema) {
        var found = new boolean[schema.getFields().size()];
        for (var field : schema.getFields()) found[field.pos()] = field.schema().getLogicalType() instanceof LogicalTypes.Date;
        return found;
    }

    static Properties settings() throws Exception {
        var found = new Properties();
        try (var file = new FileInputStream(env("CLIENT"))) {
            found.load(file);
        }
        found.putAll(Map.of("group.id", "bench-java-" + env("RUN"), "enable.auto.commit", "false",
            "auto.offset.reset", "earliest", "max.poll.records", "3000", "max.partition.fetch.bytes", "4194304"));
        return found;
    }

    static Schema schema(int id) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(env("REGISTRY") + "/schemas/ids/" + id)).build();
        var body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        var text = new com.fasterxml.jackson.databind.ObjectMapper().readTree(body).get("schema").asText();
        return new Schema.Parser().parse(text);
    }

    static String env(String name) {
        return System.getenv(name);
    }
}
